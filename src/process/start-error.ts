/** A reason not to start, or not to run a command, that its message tells a person in one sentence. */
export class StartError extends Error {}
