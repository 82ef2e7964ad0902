import { Presets, SingleBar } from "cli-progress";

/** How far a long command has come, shown to whoever waits for it. */
export interface Progress {
  readonly advance: (count: number) => void;
  /** Ends the line it was shown in. */
  readonly done: () => void;
}

const lineEveryMs = 5000;

type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean };

/**
 * Shows progress on a stream: as a bar on a terminal, as a plain line now and then elsewhere. `total` may be an
 * estimate; where there is none it only counts.
 */
export function progressOf(
  stream: Stream,
  { total = 0, what }: { readonly total?: number | undefined; readonly what: string },
): Progress {
  return stream.isTTY && total > 0 ? bar(stream, total, what) : lines(stream, total, what);
}

function bar(stream: Stream, total: number, what: string): Progress {
  const format = `{bar} {value} of about {total} ${what}, {duration_formatted}`;
  const shown = new SingleBar(
    { stream, format, hideCursor: true, clearOnComplete: false },
    Presets.shades_classic,
  );
  let value = 0;
  shown.start(total, 0);
  return {
    advance(count) {
      value += count;
      if (value > shown.getTotal()) shown.setTotal(value);
      shown.update(value);
    },
    done() {
      shown.setTotal(value);
      shown.stop();
    },
  };
}

/** A command that is soon done says nothing of its way. */
function lines(stream: Stream, total: number, what: string): Progress {
  let [value, shown, shownAtMs] = [0, 0, performance.now()];
  const show = () => {
    [shown, shownAtMs] = [value, performance.now()];
    stream.write(total > value ? `${value} of about ${total} ${what}\n` : `${value} ${what}\n`);
  };
  return {
    advance(count) {
      value += count;
      if (performance.now() - shownAtMs >= lineEveryMs) show();
    },
    done() {
      if (shown > 0 && shown < value) show();
    },
  };
}
