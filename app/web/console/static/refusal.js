// Why something was not done, in the words of the page that refused it.
export async function refusal(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("main h1")?.textContent.trim() || "";
}

// Whose session has ended is led to the sign-in page; that page is no success.
export function signedOut(answer) {
  return answer.redirected && /\/sign-in$/.test(new URL(answer.url).pathname);
}
