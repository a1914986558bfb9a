export { Admission, type AdmissionConfig, type Grant } from "./admission.ts";
export { unknownClient, type AdmissionRequest, type Authorize } from "./admission-request.ts";
