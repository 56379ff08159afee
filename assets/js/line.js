// One line of text with a state: props.value is {state, line}, or null for nothing.

function showLine() {
  const place = element.querySelector("p");
  place.dataset.state = props.value?.state ?? "";
  say(place, props.value?.line ?? "");
}

watch("value", showLine);
showLine();
