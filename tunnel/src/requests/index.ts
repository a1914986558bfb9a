/** The messages between the Requests page and its host, and their texts. The page itself is in `page/`, for browsers. */
export { translated } from "./daemon-texts.ts";
export { editableText, editOf, requestText, type RecordedBody } from "./http-text.ts";
export {
  pageMethods,
  type ExchangeRef,
  type FromPage,
  type PageMethod,
  type PageParams,
  type PageResult,
  type ToPage,
} from "./messages.ts";
export { readRecordedBody, readWholeBody, type ReadBody, type WholeBody } from "./whole-body.ts";
export { t, isTranslating, useTranslation, type Translate } from "./text.ts";
