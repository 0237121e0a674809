-- What PostGraphile needs beside the tables: the mutation, as a function.
DROP SCHEMA IF EXISTS peer CASCADE;
CREATE SCHEMA peer;
CREATE TYPE peer.sale_answer AS (outcome text, id uuid, total_minor bigint, currency text,
  balance bigint);
