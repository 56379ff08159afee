// What can be downloaded: props.value is a list of {kind, url, name, label}.

function showLinks() {
  const links = (props.value ?? []).map(({ kind, url, name, label }) =>
    make("a", { href: served(url), download: name, class: `download ${kind}` }, label));
  element.querySelector(".film-links").replaceChildren(...links);
}

watch("value", showLinks);
showLinks();
