import { describe, expect, test } from '@jest/globals';
import { parseTimeout } from '../../../../../src/fronts/envoy/http2/grpc/timeout.js';

describe('parseTimeout()', () => {
  test.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['200m', 200],
    ['5000u', 5],
    ['99999999n', 99.999999],
    ['0m', 0],
  ])('%s is %d ms', (text, ms) => expect(parseTimeout(text)).toBeCloseTo(ms));

  test.each(['', 'm', '5', '123456789m', '-1m', '1.5S', '1 m', '1s', '1mm'])('"%s" is not a time', (text) =>
    expect(parseTimeout(text)).toBeUndefined(),
  );
});
