// Validates an OpenAPI document from standard input: exit status 1 if it is not.
import { Validator } from '@seriousme/openapi-schema-validator';
import { text } from 'node:stream/consumers';

const validator = new Validator();
const result = await validator.validate(JSON.parse(await text(process.stdin)));
console.log(result.valid ? `valid OpenAPI ${validator.version}` : JSON.stringify(result.errors, null, 1));
process.exitCode = result.valid ? 0 : 1;
