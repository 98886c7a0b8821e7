import { expect, test } from "vitest";
import { duration, size } from "../../../src/report/amounts.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

test.each([
  [-5, "0 s"],
  [0, "0 s"],
  [300, "300 ms"],
  [999.6, "1 s"],
  [12_345, "12 s"],
  [minute, "1 min"],
  [5 * minute + 59_000, "5 min"],
  [hour, "1 h"],
  [2 * hour + 3 * minute, "2 h 3 min"],
  [3 * day + 4 * hour + 59 * minute, "3 d 4 h"],
  [400 * day, "400 d"],
])("%d ms are %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KB"],
  [1_234_567, "1.2 MB"],
  [150 * 1024 ** 2, "150 MB"],
  [3.25 * 1024 ** 4, "3.3 TB"],
  [2 * 1024 ** 6, "2048 PB"],
])("%d bytes are %s", (bytes, text) => {
  expect(size(bytes)).toBe(text);
});
