import {
  type ClientKeyDirectory,
  type ClientKeyDirectoryOptions,
  openClientKeyDirectory,
} from './client-key-directory.js';

/** The folders of client keys of a process, each opened once. They outlive configurations. */
export interface ClientKeyDirectories {
  /** @param dir absolute */
  open(dir: string): ClientKeyDirectory;
  /** Closes all but these. @param dirs absolute */
  retain(dirs: readonly string[]): void;
  close(): void;
}

/** Creates them, without opening any. */
export function createClientKeyDirectories(
  deps: Omit<ClientKeyDirectoryOptions, 'dir'>,
): ClientKeyDirectories {
  const opened = new Map<string, ClientKeyDirectory>();
  const retain = (dirs: readonly string[]): void => {
    for (const [dir, directory] of opened) {
      if (dirs.includes(dir)) continue;
      directory.close();
      opened.delete(dir);
    }
  };
  return {
    open(dir) {
      const directory = opened.get(dir) ?? openClientKeyDirectory({ ...deps, dir });
      opened.set(dir, directory);
      return directory;
    },
    retain,
    close: () => retain([]),
  };
}
