import { PortholeError } from "@porthole/common/errors";
import { flagNames, type OptionTable } from "@porthole/common/options";

/** The commands of `porthole` with their options, and the options without a command. */
export interface Completable {
  readonly options: OptionTable;
  readonly commands: Readonly<Record<string, { readonly options?: OptionTable; readonly help: string }>>;
}

const shells = { bash, zsh, fish } as const;
/** Commands that take names of tunnels, as `--tunnel` does. */
const takeNames = ["logs", "stop"] as const;
/** A command of the shell that lists the running client's tunnels. */
const listNames = `porthole ls --json 2>/dev/null | grep -o '"name":"[^"]*"' | cut -d'"' -f4`;

/** `porthole completion bash|zsh|fish`: a script for the shell, from the tables of options. Throws `usage`. */
export function completion(argv: readonly string[], what: Completable): string {
  const [shell = ""] = argv;
  if (Object.hasOwn(shells, shell)) return shells[shell as keyof typeof shells](what);
  throw new PortholeError("usage", `There is no completion for ${JSON.stringify(shell)}`, {
    hint: "bash: source <(porthole completion bash). zsh and fish have it, too.",
  });
}

function bash({ options, commands }: Completable): string {
  const cases = Object.entries(commands).map(
    ([name, { options: own = {} }]) => `    ${name}) words="${flagNames(own).join(" ")}" ;;`,
  );
  return `# porthole completion bash: source <(porthole completion bash)
_porthole() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="${flagNames(options).join(" ")}" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="$words ${Object.keys(commands).join(" ")}"
  case "$COMP_CWORD:\${COMP_WORDS[1]}" in 1:*) ;; *:${takeNames.join("|*:")}) words="$words $(${listNames})" ;; esac
  [ "\${COMP_WORDS[COMP_CWORD-1]}" = --tunnel ] && words="$(${listNames})"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _porthole porthole
`;
}

function zsh({ options, commands }: Completable): string {
  const described = Object.entries(commands).map(([name, { help }]) => `    ${quoted(`${name}:${help}`)}`);
  const cases = Object.entries(commands).map(
    ([name, { options: own = {} }]) => `    ${name}) compadd -- ${flagNames(own).join(" ")} ;;`,
  );
  return `#compdef porthole
# porthole completion zsh > "\${fpath[1]}/_porthole"
_porthole() {
  local -a commands=(
${described.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
  fi
  if [[ "$words[CURRENT-1]" == --tunnel ]] || [[ $CURRENT -gt 2 && "$words[2]" == (${takeNames.join("|")}) ]]; then
    compadd -- \${(f)"$(${listNames})"}
  fi
  case "$words[2]" in
${cases.join("\n")}
    *) compadd -- ${flagNames(options).join(" ")} ;;
  esac
}
compdef _porthole porthole
`;
}

function fish({ options, commands }: Completable): string {
  const names = Object.keys(commands).join(" ");
  const none = `not __fish_seen_subcommand_from ${names}`;
  const flagLines = (table: OptionTable, condition: string): string[] =>
    flagNames(table).map((flag) => `complete -c porthole -n ${quoted(condition)} -l ${flag.replace(/^--/, "")}`);
  return [
    "# porthole completion fish | source",
    ...Object.entries(commands).map(
      ([name, { help }]) => `complete -c porthole -n ${quoted(none)} -a ${name} -d ${quoted(help)}`,
    ),
    `complete -c porthole -n '__fish_seen_subcommand_from ${takeNames.join(" ")}' -f -a "(${listNames.replaceAll('"', '\\"')})"`,
    ...flagLines(options, none),
    ...Object.entries(commands).flatMap(([name, { options: own = {} }]) =>
      flagLines(own, `__fish_seen_subcommand_from ${name}`),
    ),
    "",
  ].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "")}'`;
}
