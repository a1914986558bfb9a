import { answerBroken, answerEarly } from "./answer-broken.ts";
import type { AnswerCases } from "./answer-case.ts";
import { answerFields } from "./answer-fields.ts";
import { answerFraming } from "./answer-framing.ts";
import { answerLenient } from "./answer-lenient.ts";
import { answerOdd } from "./answer-odd.ts";
import { answerStatus } from "./answer-status.ts";

/** Everything that a service of HTTP/1 says. */
export const answers = {
  "answers and their framing": answerFraming,
  "first lines of answers": answerStatus,
  "fields of answers": answerFields,
  "answers that browsers read all the same": answerLenient,
  "answers of devices and old servers": answerOdd,
  "answers that break off": answerBroken,
  "answers before the request is read": answerEarly,
} as const satisfies Readonly<Record<string, AnswerCases>>;
