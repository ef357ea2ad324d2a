/**
 * The dialect of the generated validation schemas, which the import writes (validation-schemas.ts) and the synth reads
 * (../schemas.ts). It deliberately holds no code, so that the synth does not carry the import's.
 */

/** The types of JSON, as JSON Schema names them. */
export type JsonType = 'array' | 'boolean' | 'integer' | 'null' | 'number' | 'object' | 'string';

/**
 * The dialect of the generated schemas: JSON Schema draft 7, of which only these keywords occur, and two of
 * Kubernetes', under Kubernetes' names. A node without `type` takes everything.
 */
export interface ValidationSchema {
  /** `#/definitions/NAME` in the same file, or `kubernetes.json#/definitions/NAME`; alone in its node. */
  readonly $ref?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly properties?: Readonly<Record<string, ValidationSchema>>;
  readonly required?: readonly string[];
  /** `false` where unknown fields are refused, which is wherever upstream lists the fields and does not say otherwise. */
  readonly additionalProperties?: false | ValidationSchema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: ValidationSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: true;
  /** Fields that together identify an entry of the list: two entries with the same values are refused. */
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  /** The string is RFC 3339's date and time (`date-time`) or base64 (`byte`). */
  readonly format?: 'date-time' | 'byte';
  readonly anyOf?: readonly ValidationSchema[];
  readonly allOf?: readonly ValidationSchema[];
  readonly oneOf?: readonly ValidationSchema[];
  readonly not?: ValidationSchema;
}

/** The file of the kinds' shared definitions; every other file may refer to it. */
export const SHARED_FILE = 'kubernetes.json';

/** The file that says where each kind's schema is: `{ "apps/v1": { "Deployment": "kubernetes.json#/definitions/…" } }`. */
export const INDEX_FILE = 'index.json';
