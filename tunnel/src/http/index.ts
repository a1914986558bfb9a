export { type Http1AnswerHead } from "./answer-head.ts";
export { AnswerReader, type AnswerEvents, type AnswerFault } from "./answer-reader.ts";
export * from "./body.ts";
export type * from "./exchange.ts";
export * from "./head-text.ts";
export * from "./raw-headers.ts";
export type { RequestReport } from "./reports.ts";
export type { Http1RequestHead, RequestFault } from "./request-head.ts";
export { RequestReader, type RequestEvents } from "./request-reader.ts";
