import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createDecisionIds, DECISION_ID_LENGTH, NO_DECISION_ID } from '../../src/authz/decision-id.js';

describe('createDecisionIds()', () => {
  test('gives ids of one length, visible, each once, over many batches', () => {
    const next = createDecisionIds(randomBytes);
    const ids = Array.from({ length: 2000 }, next);
    expect(new Set(ids).size).toBe(2000);
    for (const id of [...ids, NO_DECISION_ID]) expect(id).toMatch(/^[0-9a-f]{24}$/);
    expect(DECISION_ID_LENGTH).toBe(24);
  });

  test('asks for randomness once per batch', () => {
    let calls = 0;
    const next = createDecisionIds((size) => {
      calls++;
      return randomBytes(size);
    });
    for (let count = 0; count < 256; count++) next();
    expect(calls).toBe(1);
    next();
    expect(calls).toBe(2);
  });
});
