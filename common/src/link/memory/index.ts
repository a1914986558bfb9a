export { memoryPipe } from "./pipe.ts";
export { memoryCarrierPair, type MemoryPairOptions } from "./connection.ts";
