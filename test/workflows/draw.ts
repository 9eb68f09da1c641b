import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { draw } from '../../infra/local/asl/draw.ts';
import { compile } from '../../infra/local/asl/compile.ts';

const PAGE = fileURLToPath(new URL('../../workflows/README.md', import.meta.url));

/** The page with each drawing made anew from its file. `node test/workflows/draw.ts` writes it. */
export function drawn(text: string = readFileSync(PAGE, 'utf8')): string {
  return text.replaceAll(
    /(<!-- drawing: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, head: string, name: string, tail: string) => {
      const definition = readFileSync(new URL(`../../workflows/${name}.asl.json`, import.meta.url), 'utf8');
      return `${head}\n\`\`\`mermaid\n${draw(compile(definition))}\`\`\`\n\n${tail}`;
    },
  );
}

export const page = (): string => readFileSync(PAGE, 'utf8');

if (import.meta.main) writeFileSync(PAGE, drawn());
