document.getElementById("app").textContent = "Written once";
