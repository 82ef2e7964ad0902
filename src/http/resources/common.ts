import { z } from "zod";

/** Parts that the views of several resources share. */

export const recordNumber = (description: string) =>
  z
    .int()
    .min(1)
    .meta({ description, examples: [1] });

export const tokenView = z.string().meta({
  description: "The application's public id: random and URL-safe.",
  examples: ["Kq3vT7ZP0bWm2sXcYd9uRA"],
});

export const countView = (description: string) =>
  z
    .int()
    .min(0)
    .meta({ description: `${description} Brought up to date hourly.`, examples: [0] });

export const timeView = (description: string) =>
  z.string().meta({
    description: `${description} ISO 8601 in UTC, with milliseconds.`,
    format: "date-time",
    examples: ["2026-01-02T03:04:05.678Z"],
  });

export const timesView = {
  created_at: timeView("When the request that made it came."),
  updated_at: timeView("When it was last changed."),
};

export const timesOf = (record: { readonly createdAt: Date; readonly updatedAt: Date }) => ({
  created_at: record.createdAt.toISOString(),
  updated_at: record.updatedAt.toISOString(),
});

/** What a deletion is answered with. */
export const deletedView = z.object({ message: z.literal("Deleted successfully") });
export const deleted: z.infer<typeof deletedView> = { message: "Deleted successfully" };
