export { memoryCarrierPair, type MemoryPairOptions } from "./carrier.ts";
