import { createMemoryTokenStore } from '../../src/token-service/stores/memory.js';
import { describeStore } from './store-suite.js';

describeStore('memory', () =>
  Promise.resolve({ open: createMemoryTokenStore, remove: () => Promise.resolve() }),
);
