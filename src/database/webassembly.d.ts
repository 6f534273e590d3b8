// The part of the WebAssembly API that Node has and TypeScript declares only together with the DOM.
declare namespace WebAssembly {
  interface Instance {
    readonly exports: Record<string, unknown>
  }
  function instantiate(bytes: Uint8Array, imports: Record<string, object>): Promise<{ instance: Instance }>
}
