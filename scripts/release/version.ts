/** Every file that says the version, besides package-lock.json and the changelog. `version.test.ts` finds one that is missing here. */
export const versionedFiles: readonly string[] = [
  "common/src/version.ts",
  "devcontainer-feature/src/porthole/devcontainer-feature.json",
  ...[".", "common", "tunnel", "relay", "client", "testing"].map((folder) => `${folder}/package.json`),
];

/** The editors' galleries take no others. */
const form = /^\d+\.\d+\.\d+$/;

/** The file's text with the next version of Porthole; those of other packages stay. Throws when the text has none. */
export function withVersion(text: string, now: string, next: string): string {
  const ours = /((?:"version"|"@porthole\/\w+"|version)(?::| =) ")([^"]+)(")/g;
  let count = 0;
  const changed = text.replaceAll(ours, (all, before: string, found: string, after: string) => {
    if (found !== now) return all;
    count++;
    return before + next + after;
  });
  if (count === 0) throw new Error(`There is no version ${now} in ${text.slice(0, 80)}`);
  return changed;
}

/** The changelog with what is unreleased as a version of its own, and an empty section for what comes. Throws when there is nothing to release. */
export function changelogWith(changelog: string, version: string, date: string): string {
  if (!form.test(version)) throw new Error(`${JSON.stringify(version)} is not a version: 1.2.3`);
  if (notesOf(changelog, version) !== undefined) throw new Error(`The changelog has ${version} already`);
  if (!notesOf(changelog, "Unreleased")) throw new Error("The changelog has nothing under Unreleased");
  return changelog.replace(/^## Unreleased\n/m, `## Unreleased\n\n## ${version} - ${date}\n`);
}

/** The text under a version's heading. Undefined where there is no such heading. */
export function notesOf(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((each) => /^\S+/.exec(each)?.[0] === version);
  return section?.slice(section.indexOf("\n")).trim();
}

/** Why this can't be released as it stands. Without a tag it is a rehearsal, for which Unreleased will do. */
export function problemsOf(state: {
  readonly version: string;
  readonly changelog: string;
  readonly tag: string | undefined;
}): readonly string[] {
  const { version, changelog, tag } = state;
  if (tag === undefined)
    return notesOf(changelog, "Unreleased") === undefined ? ["The changelog has no Unreleased"] : [];
  return [
    ...(tag === `v${version}` ? [] : [`The tag is ${tag}, and the version is ${version}`]),
    ...(notesOf(changelog, version) ? [] : [`The changelog says nothing of ${version}`]),
  ];
}
