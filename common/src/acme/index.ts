export { fileAccounts, type AccountRecord, type AccountStore } from "./account-store.ts";
export type { RenewalWindow } from "./ari.ts";
export type { CertificateState, ServedCertificate } from "./certificate-state.ts";
export type { Chain } from "./chain.ts";
export { challengeCertificate, type ChallengeCertificate } from "./challenge-certificate.ts";
export { answerChallenge, Challenges } from "./challenges.ts";
export type { ExternalAccount } from "./client.ts";
export {
  acmeIssuer,
  letsEncrypt,
  type AcmeIssuerOptions,
  type CertificateIssuer,
  type IssueRequest,
} from "./issuer.ts";
export { CertificateKeeper, type KeeperOptions } from "./keep-certificate.ts";
export type { ChallengeAnswer } from "./order.ts";
export { filePermits, type PermitOffice } from "./permit-office.ts";
export { defaultPermitLimits, type PermitLimits } from "./permits.ts";
export { AcmeProblem, problemOf } from "./problem.ts";
export { renewalTime } from "./renewal.ts";
export { selfTest, type SelfTestOptions } from "./self-test.ts";
export { createKeeper, directoryUrlOf, type AcmeNetwork, type AcmeSettings, type KeptName } from "./settings.ts";
export type { ProxyTo } from "./transport.ts";
export { fileStore, type CertificateStore, type StoredRecord } from "./store.ts";
