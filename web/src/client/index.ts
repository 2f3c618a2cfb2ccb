export * from "@easelhq/client";
