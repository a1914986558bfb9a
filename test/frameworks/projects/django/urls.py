from django.http import HttpResponse, HttpResponseRedirect
from django.template import RequestContext, Template
from django.urls import path

FORM = Template(
    "<h1>Hello from Django</h1><p>{{ said }}</p>"
    "<form method='post'>{% csrf_token %}<input name='word'><button>Say</button></form>"
)
said = []


def home(request):
    if request.method == "POST":
        said.append(request.POST["word"])
        return HttpResponseRedirect(request.build_absolute_uri("/"))
    return HttpResponse(FORM.render(RequestContext(request, {"said": ", ".join(said)})))


urlpatterns = [path("", home)]
