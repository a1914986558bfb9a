import * as v from "valibot";
import { listTrouble, troubleOf, type SettingsTrouble } from "./settings-trouble.ts";
import { text, tunnelSettings } from "./tunnel-settings.ts";

const trigger = v.pipe(text, v.regex(/^(open|(task|launch) .+)$/, "open, task NAME or launch NAME"));

/**
 * A port in an editor's settings of a project: those settings of a tunnel that name no relay, key, certificate or file, and two of the
 * editor's own. Strangers may have written it.
 */
export const projectPort = v.strictObject({
  label: v.optional(text),
  "auto-expose": v.optional(
    v.union([trigger, v.pipe(v.array(trigger), v.maxLength(50))], "open, task NAME or launch NAME, or a list of them"),
  ),
  local: tunnelSettings.local,
  "local-proxy-protocol": tunnelSettings["local-proxy-protocol"],
  mode: tunnelSettings.mode,
  headers: tunnelSettings.headers,
  name: tunnelSettings.name,
  route: tunnelSettings.route,
  inspect: tunnelSettings.inspect,
  redact: tunnelSettings.redact,
  "access-share": tunnelSettings["access-share"],
  "access-webhook": tunnelSettings["access-webhook"],
  "access-address": tunnelSettings["access-address"],
  "access-path": tunnelSettings["access-path"],
  "access-for": tunnelSettings["access-for"],
});
export type ProjectPortSettings = v.InferOutput<typeof projectPort>;

/** Checks an entry. Returns its settings, or the first trouble. */
export function readProjectPort(
  data: unknown,
):
  | { readonly settings: ProjectPortSettings; readonly trouble?: never }
  | { readonly settings?: never; readonly trouble: SettingsTrouble } {
  const trouble = listTrouble([], data);
  if (trouble) return { trouble };
  const result = v.safeParse(projectPort, data, { abortEarly: true });
  if (result.success) return { settings: result.output };
  return { trouble: troubleOf(result.issues[0], () => Object.keys(projectPort.entries)) };
}
