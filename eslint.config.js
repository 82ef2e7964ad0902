import eslint from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  { ignores: ["dist/", "node_modules/", ".sluice/", "coverage/", "docs/"] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "max-lines": ["error", { max: 300 }],
      "max-lines-per-function": ["error", { max: 60 }],
      complexity: ["error", 12],
      "max-depth": ["error", 3],
      eqeqeq: "error",
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "The environment is read in src/config.ts only." },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "ExportDefaultDeclaration",
          message: "Export by name, so that a thing has one name everywhere.",
        },
        {
          selector: "ExportAllDeclaration",
          message: "No barrels: import from the file that holds the thing.",
        },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    // Configuration files are read by tools that ask for a default export.
    files: ["eslint.config.js", "knexfile.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
  {
    // The launchers run before anything is installed; they are the outside that sets the environment.
    files: ["embedded/**", "bin/**", "test/**", "src/config.ts", "bench/**"],
    rules: { "no-restricted-properties": "off" },
  },
  {
    // A describe block is as long as the facts in it; chai's assertions are expressions.
    files: ["test/**"],
    rules: { "max-lines-per-function": "off", "@typescript-eslint/no-unused-expressions": "off" },
  },
  {
    // What browsers run: plain scripts, tried in a real one.
    files: ["src/ops/assets/*.js"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { "no-undef": "off" },
  },
  {
    // Plain JavaScript with JSDoc: types are checked by tsc, values from JSON are not worth a cast each.
    files: ["**/*.mjs"],
    rules: {
      // tsc knows Node's globals.
      "no-undef": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-call": "off",
    },
  },
);
