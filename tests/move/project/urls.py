from django.conf import settings
from django.urls import path
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework_simplejwt import views


@api_view()
@permission_classes([IsAuthenticated])
def me(request):
    return Response({"id": str(request.user.pk), "username": request.user.get_username()})


urlpatterns = [
    path("api/me", me),
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/verify/", views.TokenVerifyView.as_view()),
]
# New in SimpleJWT 5.0.
if hasattr(views, "TokenBlacklistView"):
    urlpatterns.append(path("api/token/blacklist/", views.TokenBlacklistView.as_view()))
if settings.SITE["blacklist_app"]:
    from sallyport_refresh import SallyportTokenRefreshView

    urlpatterns.append(path("api/back/refresh/", SallyportTokenRefreshView.as_view()))
