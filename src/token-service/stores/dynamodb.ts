import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { TokenQuery, TokenRecord } from '../store.js';
import { fromItem, keyOf, PARTITION, rewriteOf, toItem, type TokenItem } from './dynamodb-items.js';
import { assertTableActive, prepareTable } from './dynamodb-table.js';
import { matchesQuery } from './record-changes.js';
import type { LastUse, TokenBackend } from './token-backend.js';

/** Which table. Credentials come the way of the AWS SDK: environment, profile, container or instance role. */
export interface DynamoBackendOptions {
  readonly table: string;
  readonly region: string;
  readonly endpoint?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 2000;
const REQUEST_TIMEOUT_MS = 3000;
const MAX_CONNECTIONS = 200;
/** One page of a query reads so many items at least, whatever the limit: filters leave some out. */
const MIN_PAGE = 100;

/** Of a write that somebody else's got in the way of: the same call may succeed shortly. */
class WriteConflict extends Error {
  override readonly name = 'WriteConflict';
}

/**
 * Keeps tokens in a DynamoDB table. All items share one partition and are sorted by tokenId, so that they can be listed in
 * order with strong consistency; DynamoDB splits a busy partition by itself. Writes are conditional on the version that
 * was read. DynamoDB's own expiry deletes what is forgotten.
 */
export function createDynamoBackend(options: DynamoBackendOptions): TokenBackend {
  const client = new DynamoDBClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      httpAgent: { maxSockets: MAX_CONNECTIONS },
      httpsAgent: { maxSockets: MAX_CONNECTIONS },
    },
  });
  return new DynamoBackend(client, options.table);
}

class DynamoBackend implements TokenBackend {
  private readonly documents: DynamoDBDocumentClient;
  /** Per tokenId the last of the changes that wait for each other. */
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: string,
  ) {
    this.documents = DynamoDBDocumentClient.from(client, {
      marshallOptions: { removeUndefinedValues: true },
    });
  }

  prepare(): Promise<void> {
    return prepareTable(this.client, this.table);
  }

  async insert(record: TokenRecord, nowS: number): Promise<boolean> {
    // The SDK repeats a request whose answer was lost; our own item is no conflict then.
    const writeId = randomUUID();
    try {
      await this.documents.send(
        new PutCommand({
          TableName: this.table,
          Item: { ...toItem(record), version: 1, writeId },
          ConditionExpression: 'attribute_not_exists(tokenId) OR forgetAt <= :now',
          ExpressionAttributeValues: { ':now': nowS },
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return (await this.read(record.tokenId))?.writeId === writeId;
    }
  }

  async find(tokenIds: readonly string[]): Promise<readonly TokenRecord[]> {
    const [only] = tokenIds;
    if (tokenIds.length === 1 && only !== undefined) {
      const item = await this.read(only);
      return item === undefined ? [] : [fromItem(item)];
    }
    const { Responses = {}, UnprocessedKeys = {} } = await this.documents.send(
      new BatchGetCommand({
        RequestItems: { [this.table]: { Keys: tokenIds.map(keyOf), ConsistentRead: true } },
      }),
    );
    const found = (Responses[this.table] ?? []).map((item) => fromItem(item as TokenItem));
    const left = UnprocessedKeys[this.table]?.Keys ?? [];
    if (left.length === tokenIds.length) throw new WriteConflict('DynamoDB read nothing of a batch');
    return left.length === 0
      ? found
      : [...found, ...(await this.find(left.map((key) => String(key.tokenId))))];
  }

  async list(query: TokenQuery, nowS: number): Promise<readonly TokenRecord[]> {
    const found: TokenRecord[] = [];
    let start: Record<string, unknown> | undefined =
      query.afterTokenId === undefined ? undefined : keyOf(query.afterTokenId);
    do {
      const page = await this.documents.send(
        new QueryCommand({
          TableName: this.table,
          ConsistentRead: true,
          KeyConditionExpression: '#partition = :partition',
          ExpressionAttributeNames: { '#partition': 'partition' },
          ExpressionAttributeValues: { ':partition': PARTITION },
          ExclusiveStartKey: start,
          Limit: Math.max(query.limit, MIN_PAGE),
        }),
      );
      const records = (page.Items ?? []).map((item) => fromItem(item as TokenItem));
      found.push(...records.filter((record) => matchesQuery(record, query, nowS)));
      start = page.LastEvaluatedKey;
    } while (start !== undefined && found.length < query.limit);
    return found.slice(0, query.limit);
  }

  change(
    tokenId: string,
    apply: (record: TokenRecord) => TokenRecord | undefined,
  ): Promise<TokenRecord | undefined> {
    return this.oneByOne(tokenId, async () => {
      const item = await this.read(tokenId);
      const after = item === undefined ? undefined : apply(fromItem(item));
      if (item === undefined || after === undefined) return undefined;
      try {
        await this.documents.send(
          new UpdateCommand({
            TableName: this.table,
            Key: keyOf(tokenId),
            ...rewriteOf(after, item.version),
          }),
        );
        return after;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) throw new WriteConflict('changed meanwhile');
        throw error;
      }
    });
  }

  async writeLastUsed(uses: readonly LastUse[]): Promise<void> {
    await Promise.all(uses.map((use) => this.writeOneLastUse(use)));
  }

  ping(): Promise<void> {
    return assertTableActive(this.client, this.table);
  }

  isConflict(error: unknown): boolean {
    return error instanceof WriteConflict;
  }

  close(): Promise<void> {
    this.client.destroy();
    return Promise.resolve();
  }

  private async read(tokenId: string): Promise<TokenItem | undefined> {
    const { Item } = await this.documents.send(
      new GetCommand({ TableName: this.table, Key: keyOf(tokenId), ConsistentRead: true }),
    );
    return Item as TokenItem | undefined;
  }

  private async writeOneLastUse([tokenId, usedAt]: LastUse): Promise<void> {
    try {
      await this.documents.send(
        new UpdateCommand({
          TableName: this.table,
          Key: keyOf(tokenId),
          UpdateExpression: 'SET lastUsedAt = :at',
          ConditionExpression:
            'attribute_exists(tokenId) AND (attribute_not_exists(lastUsedAt) OR lastUsedAt < :at)',
          ExpressionAttributeValues: { ':at': usedAt },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  /** Changes of one token by this process wait for each other instead of getting in each other's way. */
  private async oneByOne<T>(tokenId: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.queues.get(tokenId) ?? Promise.resolve()).then(work, work);
    this.queues.set(tokenId, turn);
    try {
      return await turn;
    } finally {
      if (this.queues.get(tokenId) === turn) this.queues.delete(tokenId);
    }
  }
}
