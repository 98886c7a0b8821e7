import { DeployError } from "../errors.ts";

export interface ConfigurationFile {
  readonly name: "flink-conf.yaml" | "config.yaml";
  readonly text: string;
}

/** Flink's configuration file for that version: Flink 2 reads YAML only, Flink 1 lines of `key: value`. */
export function configurationFile(version: string, config: Readonly<Record<string, string>>): ConfigurationFile {
  const entries = Object.entries(config).sort(([left], [right]) => (left < right ? -1 : 1));
  const isFlink2 = Number(version.split(".")[0]) >= 2;
  return {
    name: isFlink2 ? "config.yaml" : "flink-conf.yaml",
    text: entries
      .map(([key, value]) => `${key}: ${isFlink2 ? JSON.stringify(value) : plainValue(key, value)}\n`)
      .join(""),
  };
}

/** Flink 1 cuts a line at `#`, knows no quotes and trims. */
function plainValue(key: string, value: string): string {
  if (/[#\r\n]/.test(value) || value !== value.trim() || value === "") {
    const message = `Flink 1 cannot read the value of ${key} from its file: empty, '#', a line break or blanks around it`;
    throw new DeployError("inputs-invalid", message);
  }
  return value;
}

/** The config in force: what the user sets goes before our defaults, what holds the processes together before both. */
export function mergedConfig(
  defaults: Readonly<Record<string, string>>,
  chosen: Readonly<Record<string, string>>,
  required: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return { ...defaults, ...chosen, ...required };
}

/** Log4j's configuration: everything to stdout, which goes into the process's log file. */
export const log4jProperties = `rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c - %m%n
`;
