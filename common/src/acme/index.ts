export type { CertificateState, ServedCertificate } from "./renewal/certificate-state.ts";
export { answerChallenge, Challenges } from "./order/challenges.ts";
export { CertificateKeeper } from "./renewal/certificate-keeper.ts";
export { problemOf } from "./wire/problem.ts";
export { selfTest } from "./order/self-test.ts";
export { createKeeper, directoryUrlOf, isLetsEncrypt, type AcmeNetwork, type AcmeSettings } from "./settings.ts";
export type { ProxyTo } from "./wire/transport.ts";
