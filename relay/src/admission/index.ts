export { Admission, type AdmissionConfig, type Grant } from "./admission.ts";
export type { AdmissionRequest, Authorize } from "./admission-request.ts";
export { parseKey, readAuthorizedKeys } from "./authorized-keys.ts";
export { openBook, type BookFile } from "./enrollment-file.ts";
export { revokeKey, type Book } from "./enrollment-store.ts";
export { addInvite, revokeInvite } from "./invites.ts";
export { namesOf, quarantineMs, releaseName } from "./names.ts";
