export { projectPort, readProjectPort, type ProjectPortSettings } from "./project-port.ts";
export { clientSettings, settingsFile, tunnelName, tunnelSettings, type SettingsFile } from "./tunnel-settings.ts";
export { settingsTrouble, type SettingsTrouble } from "./settings-trouble.ts";
