/** Bundles the program of the page and answers the address of the page on the file system. */
export function buildPlayground(): Promise<string>
