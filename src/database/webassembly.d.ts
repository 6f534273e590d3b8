// Types for the part of the WebAssembly API that is used here. Node has it, but TypeScript declares it only in lib "dom".
declare namespace WebAssembly {
  interface Instance {
    readonly exports: Record<string, unknown>
  }
  function instantiate(bytes: Uint8Array, imports: Record<string, object>): Promise<{ instance: Instance }>
}
