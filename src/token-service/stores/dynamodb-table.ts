import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
  type DynamoDBClient,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';

const POLL_MS = 500;

/**
 * Creates the table where it is missing, paid per request and with expiry by `forgetAt`, and waits until it is active.
 * The caller bounds the time. Of several processes one creates it.
 *
 * @throws Error where a table of this name has other keys
 */
export async function prepareTable(client: DynamoDBClient, table: string): Promise<void> {
  const found = await describe(client, table);
  if (found === undefined) await create(client, table);
  assertKeys(await untilActive(client, table), table);
  if (found === undefined) await expireForgotten(client, table);
}

async function untilActive(client: DynamoDBClient, table: string): Promise<TableDescription> {
  for (;;) {
    const found = await describe(client, table);
    if (isUsable(found)) return found;
    await delay(POLL_MS);
  }
}

function isUsable(found: TableDescription | undefined): found is TableDescription {
  return found?.TableStatus === 'ACTIVE' || found?.TableStatus === 'UPDATING';
}

/** @throws Error where the table is missing or not active */
export async function assertTableActive(client: DynamoDBClient, table: string): Promise<void> {
  if (!isUsable(await describe(client, table))) throw new Error(`the table ${table} is not active`);
}

async function describe(client: DynamoDBClient, table: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: table }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function create(client: DynamoDBClient, table: string): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: table,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'partition', AttributeType: 'S' },
          { AttributeName: 'tokenId', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'partition', KeyType: 'HASH' },
          { AttributeName: 'tokenId', KeyType: 'RANGE' },
        ],
      }),
    );
  } catch (error) {
    // Another process was faster.
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}

function assertKeys(found: TableDescription, table: string): void {
  const keys = (found.KeySchema ?? []).map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`);
  if (keys.join(', ') !== 'HASH partition, RANGE tokenId') {
    throw new Error(`the table ${table} has other keys than partition (HASH) and tokenId (RANGE)`);
  }
}

async function expireForgotten(client: DynamoDBClient, table: string): Promise<void> {
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: table,
      TimeToLiveSpecification: { AttributeName: 'forgetAt', Enabled: true },
    }),
  );
}
