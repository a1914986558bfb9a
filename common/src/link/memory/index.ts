export { memoryPipe } from "./pipe.ts";
export { memoryConnectionPair, type MemoryPairOptions } from "./connection.ts";
