declare module "*.css";

interface ImportMeta {
  /** What Vite says of the build. */
  readonly env: { readonly PROD: boolean };
}
