/** What a comment on a pull request asks for. */
export type CommentCommand =
  /** It is no command: most comments. */
  | { readonly kind: "none" }
  /** It begins like one, and is none. */
  | { readonly kind: "unreadable"; readonly why: string }
  | { readonly kind: "plan" | "status" }
  | { readonly kind: "deploy"; readonly environment: string }
  | { readonly kind: "suspend" | "resume"; readonly jobs: string };

const usage =
  "write one of `/flink plan`, `/flink deploy <environment>`, `/flink suspend <job>`, `/flink resume <job>`, `/flink status`, and nothing else";

/**
 * Reads a comment's body. A command is the whole comment, in ASCII on one line: what is quoted, hidden in Markdown or HTML,
 * or stands below something else is none, so nobody gives one without seeing it. Pure.
 */
export function readCommentCommand(body: string): CommentCommand {
  const text = body.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  if (!/^\/flink(?![A-Za-z0-9_/-])/.test(text)) return { kind: "none" };
  const unreadable = (why: string): CommentCommand => ({ kind: "unreadable", why: `${why}; ${usage}` });
  if (text.length > 300) return unreadable("the comment is too long for a command");
  if (!/^[\x20-\x7e]+$/.test(text))
    return unreadable("the comment has more than one line, or signs that are not plain ASCII");
  const [, verb = "", argument = null, ...others] = text.split(/ +/);
  if (others.length > 0) return unreadable("the command has too many words");
  switch (verb) {
    case "plan":
    case "status":
      return argument === null ? { kind: verb } : unreadable(`${verb} takes no word after it`);
    case "deploy":
      if (argument === null || !isEnvironment(argument)) return unreadable("deploy takes the name of an environment");
      return { kind: verb, environment: argument };
    case "suspend":
    case "resume":
      if (argument === null || !isJob(argument)) return unreadable(`${verb} takes the name of a job`);
      return { kind: verb, jobs: argument };
    default:
      return unreadable("there is no such command");
  }
}

/** As the input `environment` has it. */
function isEnvironment(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text) && !text.includes("..");
}

/** A name or a glob, and not all of them at once. */
function isJob(text: string): boolean {
  return /^[A-Za-z0-9_*?][A-Za-z0-9_.*?:-]*$/.test(text) && /[A-Za-z0-9_]/.test(text);
}
