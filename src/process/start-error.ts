/** The process cannot start, or cannot run its command. The message tells a person why, and is shown without a stack trace. */
export class StartError extends Error {}
