import "@fontsource-variable/inter";
import { MantineProvider } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import "./mantine";
import "./page.css";
import { theme, variables } from "./theme";

// The content security policy allows only styles with the nonce of this response.
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

// What a page could not draw is an error of the page, also where ui/broken.tsx took its place.
createRoot(root, { onCaughtError: reportError }).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" deduplicateCssVariables={false} getStyleNonce={() => nonce}>
      <App />
    </MantineProvider>
  </StrictMode>,
);
