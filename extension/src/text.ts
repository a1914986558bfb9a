export { t, useTranslation } from "@porthole/tunnel/requests";
