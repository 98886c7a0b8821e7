/** An answer without the expected shape; `path` names the place in it, e.g. `results.columns[0].name`. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly path: string;
  constructor(path: string, expected: string, value: unknown) {
    super(`${path === "" ? "the answer" : path} is ${shown(value)}, not ${expected}`);
    this.path = path;
  }
}

/** Turns a value from outside into a type, or throws `DecodeError` naming the path in it. */
export type Decoder<T> = (value: unknown, path: string) => T;

/** One object from outside, read field by field. An absent field and null are the same: Flink writes both. */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new DecodeError(path, "an object", value);
    this.#object = value as Readonly<Record<string, unknown>>;
    this.#path = path;
  }

  get<T>(name: string, decoder: Decoder<T>): T {
    return decoder(this.#object[name], this.#path === "" ? name : `${this.#path}.${name}`);
  }
}

export const string: Decoder<string> = (value, path) => {
  if (typeof value !== "string") throw new DecodeError(path, "a string", value);
  return value;
};

export const number: Decoder<number> = (value, path) => {
  if (typeof value !== "number") throw new DecodeError(path, "a number", value);
  return value;
};

export const boolean: Decoder<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw new DecodeError(path, "a boolean", value);
  return value;
};

export function nullable<T>(decoder: Decoder<T>): Decoder<T | null> {
  return (value, path) => (value === undefined || value === null ? null : decoder(value, path));
}

export function list<T>(decoder: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new DecodeError(path, "a list", value);
    return value.map((item: unknown, index) => decoder(item, `${path}[${index}]`));
  };
}

export function fields<T>(read: (fields: Fields) => T): Decoder<T> {
  return (value, path) => read(new Fields(value, path));
}

export function numbersByName(value: unknown, path: string): Readonly<Record<string, number>> {
  const object = new Fields(value, path);
  return Object.fromEntries(Object.keys(value as object).map((name) => [name, object.get(name, number)]));
}

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
