import { ViaError } from '../failure.js';
import { LONGEST } from './document.js';

/** How long whoever asks may take to write the document, and then to join; in milliseconds. */
const PATIENCE = 10_000;

/** What is read from whoever asks. */
export interface Input {
  /** The first line. Throws where it has no end, is too long, or does not come. */
  line(): Promise<string>;
  /** Waits until nobody writes there any more, or for too long. */
  end(): Promise<void>;
}

/**
 * Reads standard input; never more than a document of it is kept. As Node itself does: a file's stream would read a pipe in
 * a thread, which Node waits for at its exit, and so for whoever never ends.
 */
export function openInput(): Input {
  const stream = process.stdin.setEncoding('latin1');
  let text = '';
  let isOver = false;
  let wake = (): void => {};
  const over = (): void => {
    isOver = true;
    wake();
  };
  stream.on('end', over).on('close', over).on('error', over);
  stream.on('data', (chunk: string) => {
    if (text.length <= LONGEST && !text.includes('\n')) text += chunk;
    wake();
  });
  const until = async (isSo: () => boolean): Promise<void> => {
    const late = setTimeout(over, PATIENCE);
    while (!isSo() && !isOver) await new Promise<void>((resolve) => (wake = resolve));
    clearTimeout(late);
  };
  return {
    async line() {
      await until(() => text.includes('\n') || text.length > LONGEST);
      if (text.includes('\n')) return text.slice(0, text.indexOf('\n'));
      if (text.length > LONGEST) return text;
      throw new ViaError('set-up', 'document', 'cut off');
    },
    end: () => until(() => false),
  };
}
