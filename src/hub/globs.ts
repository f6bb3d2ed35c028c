/**
 * Whether a path matches a pattern as the hub's data set cards use them: "*" and "?" stay within a folder, "**" does
 * not, "[ab]" and "[!ab]" are sets; a pattern without any of them is a file, or a folder with all that is below.
 */
export function matchesGlob(path: string, pattern: string): boolean {
  const cleaned = pattern
    .replace(/^(?:\.\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/(?:\*\*\/)+/g, '**/');
  if (!/[*?[]/.test(cleaned)) return path === cleaned || path.startsWith(`${cleaned}/`);
  try {
    return new RegExp(`^${toRegExp(cleaned)}$`).test(path);
  } catch {
    return false; // a set that is none, such as [z-a]
  }
}

function toRegExp(pattern: string): string {
  let source = '';
  for (let at = 0; at < pattern.length;) {
    const rest = pattern.slice(at);
    const token = /^(?:\*\*\/|\*\*|\*|\?|\[!?[^\]/]+\]|[^])/.exec(rest)![0];
    at += token.length;
    if (token === '**/') source += '(?:[^/]+/)*';
    else if (token === '**') source += '.*';
    else if (token === '*') source += '[^/]*';
    else if (token === '?') source += '[^/]';
    else if (token.length > 1) source += setOf(token.slice(1, -1));
    else source += escaped(token);
  }
  return source;
}

function setOf(members: string): string {
  const negated = members.startsWith('!');
  return `[${negated ? '^/' : ''}${(negated ? members.slice(1) : members).replace(/[\\\]^]/g, '\\$&')}]`;
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
}
