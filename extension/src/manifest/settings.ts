import type { RelaySpec } from "@porthole/tunnel/rpc";
import { projectPortsSchema } from "./project-schema.ts";

/** Every setting: its type, its default, and who may set it. */
export interface SettingTypes {
  "porthole.relays": readonly Omit<RelaySpec, "token">[];
  "porthole.transport": "auto" | "quic" | "h2";
  "porthole.certificates": "authority" | "staging" | "self-signed";
  "porthole.certificateEmail": string;
  "porthole.certificateDirectory": string;
  "porthole.resume": "reload" | "always" | "never";
  "porthole.environment": boolean;
  "porthole.inspect": boolean;
  "porthole.keepRequests": boolean;
  "porthole.notifyWhenReady": boolean;
  "porthole.notifyOnWebhook": boolean;
  "porthole.terminalLinks": boolean;
  "porthole.mcpServer": boolean;
  /** By port; strangers may have written it. */
  "porthole.ports": Readonly<Record<string, unknown>>;
  "porthole.defaultAccess": "ask" | "public" | "shareLink" | "password";
}

export type SettingId = keyof SettingTypes;

export interface SettingSpec<T> {
  readonly default: T;
  /** `settingScope` when absent. */
  readonly scope?: "resource";
  readonly schema: object;
}

/**
 * All but one are the user's alone, the same in every window: neither a folder that is opened nor a remote machine may choose the
 * relay, make ports public, or put anything into terminals. `porthole.ports` is the project's: it only describes, and the user agrees
 * to it before anything follows from it.
 */
export const settingScope = "application";

/** `%…%` are keys of package.nls.json; a setting's description is `setting.` and its name. */
export const settings: { readonly [K in SettingId]: SettingSpec<SettingTypes[K]> } = {
  "porthole.relays": {
    default: [],
    schema: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["address"],
        properties: {
          address: {
            type: "string",
            pattern: "^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$",
            patternErrorMessage: "%setting.relays.address.wrong%",
            markdownDescription: "%setting.relays.address%",
          },
          fingerprint: {
            type: "string",
            pattern: "^[A-Za-z0-9:+/=_ -]{26,}$",
            patternErrorMessage: "%setting.relays.fingerprint.wrong%",
            markdownDescription: "%setting.relays.fingerprint%",
          },
          label: { type: "string", markdownDescription: "%setting.relays.label%" },
          certificateDirectory: {
            type: "string",
            pattern: "^https://[!-~]+$",
            patternErrorMessage: "%setting.relays.certificateDirectory.wrong%",
            markdownDescription: "%setting.relays.certificateDirectory%",
          },
        },
      },
    },
  },
  "porthole.defaultAccess": {
    default: "ask",
    schema: {
      type: "string",
      enum: ["ask", "public", "shareLink", "password"],
      enumItemLabels: [
        "%setting.defaultAccess.ask.label%",
        "%setting.defaultAccess.public.label%",
        "%setting.defaultAccess.shareLink.label%",
        "%setting.defaultAccess.password.label%",
      ],
      markdownEnumDescriptions: [
        "%setting.defaultAccess.ask%",
        "%setting.defaultAccess.public%",
        "%setting.defaultAccess.shareLink%",
        "%setting.defaultAccess.password%",
      ],
    },
  },
  "porthole.transport": {
    default: "auto",
    schema: {
      type: "string",
      enum: ["auto", "quic", "h2"],
      enumItemLabels: ["%setting.transport.auto.label%", "QUIC", "HTTP/2"],
      markdownEnumDescriptions: ["%setting.transport.auto%", "%setting.transport.quic%", "%setting.transport.h2%"],
    },
  },
  "porthole.certificates": {
    default: "authority",
    schema: {
      type: "string",
      enum: ["authority", "staging", "self-signed"],
      enumItemLabels: [
        "%setting.certificates.authority.label%",
        "%setting.certificates.staging.label%",
        "%setting.certificates.self-signed.label%",
      ],
      markdownEnumDescriptions: [
        "%setting.certificates.authority%",
        "%setting.certificates.staging%",
        "%setting.certificates.self-signed%",
      ],
    },
  },
  "porthole.certificateEmail": { default: "", schema: { type: "string" } },
  "porthole.certificateDirectory": { default: "", schema: { type: "string" } },
  "porthole.resume": {
    default: "reload",
    schema: {
      type: "string",
      enum: ["reload", "always", "never"],
      enumItemLabels: [
        "%setting.resume.reload.label%",
        "%setting.resume.always.label%",
        "%setting.resume.never.label%",
      ],
      markdownEnumDescriptions: ["%setting.resume.reload%", "%setting.resume.always%", "%setting.resume.never%"],
    },
  },
  "porthole.environment": { default: false, schema: { type: "boolean" } },
  "porthole.inspect": { default: true, schema: { type: "boolean" } },
  "porthole.keepRequests": { default: true, schema: { type: "boolean" } },
  "porthole.notifyWhenReady": { default: true, schema: { type: "boolean" } },
  "porthole.notifyOnWebhook": { default: false, schema: { type: "boolean" } },
  "porthole.terminalLinks": { default: false, schema: { type: "boolean" } },
  "porthole.mcpServer": { default: false, schema: { type: "boolean" } },
  "porthole.ports": { default: {}, scope: "resource", schema: projectPortsSchema },
};
