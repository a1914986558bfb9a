export { commands, type CommandId } from "./commands.ts";
export type { ContextKeyTypes } from "./context-keys.ts";
export { gallery } from "./gallery.ts";
export { contributes } from "./manifest.ts";
export { projectPortProperties } from "./project-schema.ts";
export { settings, type SettingId, type SettingTypes } from "./settings.ts";
export { items, type ViewId } from "./views.ts";
