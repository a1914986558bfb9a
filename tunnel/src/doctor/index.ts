export type { Check, CheckId } from "./check.ts";
export { examine, type ExamineOptions } from "./examine.ts";
