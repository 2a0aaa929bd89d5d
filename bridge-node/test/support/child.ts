import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Child<Ready> {
  process: ChildProcess;
  ready: Ready;
  /** Ends it as its parent would, by closing its standard input; resolves with its exit code. */
  stop(): Promise<number | null>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts a Node program of this repository from its sources and waits for its one ready line. */
export async function startNode<Ready>(
  cwd: string,
  args: string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Child<Ready>> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...args, '--exit-with-parent'], {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', process.env.BRIDGE_TEST_LOG ? 'inherit' : 'ignore'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => text as string),
    exited.then((code) => {
      throw new Error(`${cwd} ended with ${code} before it was ready`);
    }),
  ]);
  return {
    process: child,
    ready: JSON.parse(line) as Ready,
    stop: () => {
      child.stdin.end();
      return exited;
    },
    kill: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}
