export { cachedCertificate } from "./cached-certificate.ts";
export { certificatePem, createCertificate, isSelfSigned, type Certificate } from "./certificate.ts";
export { clientId, clientIdOf, fingerprint, isClientId, parseFingerprint } from "./client-id.ts";
export { encryptKey, generateKey, loadOrCreateKey, parseGivenKey, parseKey, type IdentityKey } from "./key.ts";
export { proveKey, readKeyProof, type ProvenLink } from "./key-proof.ts";
export { readDelegation, delegate, type Owner } from "./delegation.ts";
export { readPeer, type PeerIdentity } from "./peer.ts";
