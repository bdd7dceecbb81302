/** A server of each framework behind its adapter. Every handler answers with what it was given. */
import 'reflect-metadata';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { All, Controller, Module, Req, Res, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import express from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { protect as protectExpress } from '../../src/adapters/express.js';
import { protect as protectFastify } from '../../src/adapters/fastify.js';
import { protect as protectHono } from '../../src/adapters/hono.js';
import { protect as protectKoa } from '../../src/adapters/koa.js';
import { protect as protectNest } from '../../src/adapters/nestjs.js';
import { protect as protectNext } from '../../src/adapters/next.js';
import { protect as protectNode } from '../../src/adapters/node.js';
import type { Auth, Gate, ProtectOptions } from '../../src/index.js';

/** A running server. */
export interface AdapterServer {
  readonly port: number;
  close(): Promise<void>;
}

/** What handlers answer with. */
export interface Echo {
  readonly subject: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly url: string;
}

/** Starts a server whose handler runs behind each of the options in turn. */
export type StartAdapter = (gate: Gate, ...options: ProtectOptions[]) => Promise<AdapterServer>;

const echo = (auth: Auth | undefined, headers: unknown, url: string): Echo => ({
  subject: auth?.subject,
  headers: headers as Echo['headers'],
  url,
});

async function listen(server: Server): Promise<AdapterServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** By name of the adapter. */
export const ADAPTERS: Readonly<Record<string, StartAdapter>> = {
  node: (gate, ...options) => {
    const checks = options.map((one) => protectNode(gate, one));
    const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      let auth: Auth | undefined;
      for (const check of checks) {
        const passed = await check(request, response);
        if (passed === undefined) return;
        auth = passed.auth;
      }
      response.end(JSON.stringify(echo(auth, request.headers, request.url ?? '')));
    };
    return listen(createServer((request, response) => void handle(request, response)));
  },

  express: (gate, ...options) => {
    const app = express();
    for (const one of options) app.use(protectExpress(gate, one));
    app.use((request, response) => {
      response.json(echo(request.auth, request.headers, request.originalUrl));
    });
    return listen(createServer(app as never));
  },

  fastify: async (gate, ...options) => {
    const app = fastify();
    for (const one of options) app.addHook('onRequest', protectFastify(gate, one));
    app.setNotFoundHandler((request, reply) =>
      reply.code(200).send(echo(request.auth, request.headers, request.raw.url ?? '')),
    );
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },

  hono: (gate, ...options) => {
    const app = new Hono();
    for (const one of options) app.use(protectHono(gate, one));
    app.all('*', (c) => c.json(echo(c.var.auth, c.req.header(), c.req.url)));
    return listen(createAdaptorServer({ fetch: app.fetch }) as Server);
  },

  koa: (gate, ...options) => {
    const app = new Koa();
    app.silent = true;
    for (const one of options) app.use(protectKoa(gate, one));
    app.use((ctx) => {
      ctx.body = echo(ctx.state.auth, ctx.headers, ctx.url);
    });
    return listen(createServer(app.callback() as never));
  },

  nestjs: async (gate, ...options) => {
    class EchoController {
      all(request: express.Request, response: express.Response): void {
        response.json(echo(request.auth, request.headers, request.originalUrl));
      }
    }
    Req()(EchoController.prototype, 'all', 0);
    Res()(EchoController.prototype, 'all', 1);
    const all = Object.getOwnPropertyDescriptor(EchoController.prototype, 'all') as PropertyDescriptor;
    All(['', '*path'])(EchoController.prototype, 'all', all);
    UseGuards(...options.map((one) => protectNest(gate, one)))(EchoController);
    Controller()(EchoController);
    class EchoModule {
      readonly name = 'echo';
    }
    Module({ controllers: [EchoController] })(EchoModule);
    const app = await NestFactory.create(EchoModule, { logger: false } as never);
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    return { port, close: () => app.close() };
  },

  next: (gate, ...options) => {
    const handler = protectNext(gate, options[0] ?? {}, (request) =>
      Response.json(echo(request.auth, Object.fromEntries(request.headers), request.url)),
    );
    return listen(createAdaptorServer({ fetch: handler }) as Server);
  },
};
