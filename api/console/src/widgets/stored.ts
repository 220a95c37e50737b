/** Choices of a person at this browser. A browser that keeps nothing, or something else, has the fallback. */
export function stored<T>(name: string, fallback: T, isValid: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(`procvars.${name}`) ?? "null");
    return isValid(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

export function store(name: string, value: unknown): void {
  try {
    localStorage.setItem(`procvars.${name}`, JSON.stringify(value));
  } catch {
    // No room, or none allowed: the choice holds until the page is left.
  }
}
