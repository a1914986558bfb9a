export { isTranslating, t, useTranslation } from "@porthole/tunnel/requests";
