/** Whether a value is an object whose properties can be read. Arrays and class instances are objects too. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
